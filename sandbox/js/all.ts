// Every API that registers itself and that no other file needs.

import "./date";
import "./compression";
import "./message";
import "./services";
import "./urlpattern";
