// Every API that registers itself and that no other file needs.

import "./atomics";
import "./date";
import "./cache";
import "./compression";
import "./d1";
import "./eventsource";
import "./htmlrewriter";
import "./intl";
import "./kv";
import "./members";
import "./message";
import "./meters";
import "./promise";
import "./queue";
import "./r2";
import "./services";
import "./show";
import "./storage";
import "./urlpattern";
import "./weakref";
