"""How fast is it? ``python -m benchmarks --help`` says what can be measured."""
