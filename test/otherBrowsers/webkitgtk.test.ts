import { IS_OF_THIS_SYSTEM } from '../support/setup/webkit.ts';
import { startWebKitGtk } from '../support/webkitgtk.ts';
import { scenarios } from './scenarios.ts';

scenarios('WebKitGTK', startWebKitGtk, IS_OF_THIS_SYSTEM);
