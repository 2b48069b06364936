"""What strangers send, made up by a fuzzer that sees which lines of the program it reaches.

``python -m tests.fuzz TARGET --seconds 20`` or ``--runs 1000000`` needs atheris (the extra `fuzz`);
``python -m tests.fuzz all`` runs every target, two at a time. What reaches new lines is kept in
``tests/fuzz/corpus/TARGET`` with ``--keep``, minimised; `test_corpus` goes through that without
atheris. An input that breaks a promise is left in the folder where it was run.
"""
