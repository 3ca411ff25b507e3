import { storeContract } from '../../../contract/store.contract.ts';
import { sqliteHarness } from './harness.ts';

storeContract('SQLite', sqliteHarness);
