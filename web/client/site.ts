// Pages without a script of their own: the theme and the search.

import { everywhere } from "./_tabs.ts";

everywhere();
