import sys

if sys.platform == "win32":
    sys.exit(
        "earworm: the console runs on Linux, on macOS and in WSL, but not on Windows itself. "
        "Install WSL (`wsl --install`), and clone and run Earworm there."
    )
