import { LATE_API } from './late-api.ts';
import { start } from './start.ts';

await start(LATE_API);
