// Service bindings.

import { binding } from "./bindings";
import { serviceStub } from "./rpc";

binding("service", (b) => serviceStub(["service", b.name, b.service, b.entrypoint, "", "", b.props]));
