import { createNodeEngine } from '../../src/engine/node.ts';
import { lossesOn, TRAININGS } from './trainings.ts';

// Prints the losses of every training on WebGPU, as JSON.
const losses: Record<string, number[]> = {};
for (const [name, training] of Object.entries(TRAININGS))
  losses[name] = await lossesOn(createNodeEngine({ provider: 'webgpu' }), training);
process.stdout.write(JSON.stringify(losses));
