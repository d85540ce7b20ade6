// The address bar follows what is on the page.

import { address } from "./clock.js";

export default component => address(component.data.link);
