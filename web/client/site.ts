// Pages without a script of their own: the theme.

import { theme } from "./_tabs.ts";

theme();
