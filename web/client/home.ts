// The home page: the theme and the search. Everything else is links.

import { everywhere } from "./_tabs.ts";

everywhere();
