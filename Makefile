# Two commands are enough: `make drill` and `make test`. Everything else is listed by `make help`.
