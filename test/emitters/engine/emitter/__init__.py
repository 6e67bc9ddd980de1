# SPDX-License-Identifier: Apache-2.0
import os
import sys

# An image without OpenTelemetry's packages: only the emitter itself finds them, in a place of its own.
if "EMITTER_SITE" in os.environ:
    sys.path.append(os.environ["EMITTER_SITE"])
