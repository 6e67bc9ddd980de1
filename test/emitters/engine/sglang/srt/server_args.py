# SPDX-License-Identifier: Apache-2.0
"""Where SGLang's source has its flags, for who reads it without running it."""
FLAGS = ("--enable-trace", "--otlp-traces-endpoint")
