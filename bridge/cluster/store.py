"""The journal on etcd: `EtcdStore`, a `Store` that is opened by `await EtcdStore.open(etcd, term)`.

`etcd` is an entered `Etcd`, `term` a `Leadership` whose campaign is over. Its commits raise
`Fenced`, and call `term.lose()`, where another box leads.
"""
