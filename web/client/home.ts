// The home page: the theme. Everything else is links.

import { theme } from "./_tabs.ts";

theme();
