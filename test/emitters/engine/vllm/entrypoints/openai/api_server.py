# SPDX-License-Identifier: Apache-2.0
"""python3 -m vllm.entrypoints.openai.api_server"""
from emitter.vllm_cli import module_main

if __name__ == "__main__":
    module_main()
