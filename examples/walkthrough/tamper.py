"""Change one file of a signed archive and leave its signature as it was: ``python3 tamper.py SIGNED TAMPERED``."""

import sys
import zipfile

signed, tampered = sys.argv[1:]
with zipfile.ZipFile(signed) as source, zipfile.ZipFile(tampered, "w") as target:
    for entry in source.infolist():
        body = source.read(entry)
        target.writestr(entry, body + b"\n# not what was signed\n" if entry.filename == "index.py" else body)
