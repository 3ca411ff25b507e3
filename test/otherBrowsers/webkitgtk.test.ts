import { startWebKitGtk } from '../support/webkitgtk.ts';
import { scenarios } from './scenarios.ts';

scenarios('WebKitGTK', startWebKitGtk);
