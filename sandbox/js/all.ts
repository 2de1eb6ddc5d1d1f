// Every API that registers itself and that no other file needs.

import "./date";
import "./services";
