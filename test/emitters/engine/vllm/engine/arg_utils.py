# SPDX-License-Identifier: Apache-2.0
"""Where vLLM's source has its flags, for who reads it without running it; emitter/vllm_flags.txt has them all."""
FLAGS = ("--otlp-traces-endpoint", "--collect-detailed-traces")
