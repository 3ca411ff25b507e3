import { sharedStoreContract } from '../store.contract.ts';
import { memoryHarness } from './harness.ts';

sharedStoreContract('memory', memoryHarness);
