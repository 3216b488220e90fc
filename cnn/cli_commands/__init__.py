"""The commands of `python -m cnn`, one module each: `add_options(parser)` and `run(options)`.

`cnn.cli` lists them and imports only the one in hand. `run` returns an `Output`; words and progress
go to standard error through `output`, so that standard output holds the result and nothing else.
"""
