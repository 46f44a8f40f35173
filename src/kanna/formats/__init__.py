"""One module per container, and the one place that decides which module reads a path.

`open_model` looks at the first bytes, never at the name, to choose the reader. A reader is
``open(file: InputFile) -> ModelFile``; a folder or a ``*.index.json`` goes to `kanna.formats.folder`.
"""
