import subprocess
import sys


def test_on_windows_itself_the_console_says_where_it_runs() -> None:
    script = "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None; import infra.cli.__main__"

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith(
        "earworm: the console runs on Linux, on macOS and in WSL, but not on Windows itself."
    )
