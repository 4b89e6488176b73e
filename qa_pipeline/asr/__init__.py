"""Speech to text: ``engines.open_engine`` for one process, ``workers.transcribe_files`` for many."""
