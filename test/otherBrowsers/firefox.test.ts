import { startFirefox } from '../support/firefox.ts';
import { scenarios } from './scenarios.ts';

scenarios('Firefox', startFirefox);
