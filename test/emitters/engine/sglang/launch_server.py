# SPDX-License-Identifier: Apache-2.0
"""python3 -m sglang.launch_server"""
from emitter.sglang_cli import main

if __name__ == "__main__":
    main()
