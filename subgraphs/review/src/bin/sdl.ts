/** Prints the SDL; needs no store. */

import { sdl } from "../graphql/sdl.ts";

process.stdout.write(sdl());
