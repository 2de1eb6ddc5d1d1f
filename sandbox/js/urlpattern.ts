// URLPattern. Specification: URL Pattern. The class is urlpattern-polyfill's.

import { URLPattern } from "urlpattern-polyfill/urlpattern";
import { expose, tag } from "./primordials";

tag(URLPattern as any, "URLPattern");
expose("URLPattern", URLPattern);
