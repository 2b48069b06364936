"""Tests, by the package that they are about; `process` has the whole bridge, `chaos` its enemies.

Which planted changes no test would notice is asked beside the gate, of any number of them drawn by
a seed; `mutmut show NAME` shows one that survived::

    .venv/bin/pip install -e '.[mutation,test]'
    .venv/bin/mutmut run bridge.hmp.probe.x_probe__mutmut_1    # makes all changes, and tries one
    .venv/bin/mutmut results --all true | grep -o 'bridge\\.hmp\\.[^:]*' |
        shuf -n 60 --random-source=<(yes 1) | xargs .venv/bin/mutmut run --max-children 2

A survivor in a function whose results are kept (`functools.cache`) is none: they were made before.
"""
