import { start } from './start.ts';

await start(() => import('../index.ts'));
