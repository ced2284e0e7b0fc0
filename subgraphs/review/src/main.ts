/** The review service as a process. */

import { configFrom } from "./config.ts";
import { run } from "./kit/run.ts";
import { start } from "./start.ts";

process.exit(await run("review", configFrom, start));
