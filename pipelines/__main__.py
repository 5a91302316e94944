"""`python -m pipelines` is `livecut`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
