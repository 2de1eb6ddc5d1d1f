// Every API that registers itself and that no other file needs.

import "./date";
import "./cache";
import "./compression";
import "./htmlrewriter";
import "./kv";
import "./message";
import "./queue";
import "./services";
import "./show";
import "./storage";
import "./urlpattern";
