# shellcheck shell=bash
# also-under: ulimit -v 1048576
# also-under: ulimit -d 204800
/usr/bin/python3 "$SCRIPTS/python3.py"
