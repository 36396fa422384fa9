import { distill, parseRecipe } from '../src/index.ts';
import { highWaterMark } from './limited-process.ts';

// A run in a process of its own, whose memory is then known: RECIPE (JSON) FOLDER OUT. It prints one line of JSON.

const [text, folder, out] = process.argv.slice(2) as [string, string, string];
let label = { seconds: 0, summary: '' };
let parts: string | undefined;
let steps = 0;
await distill(parseRecipe(text), {
  out,
  recipeFolder: folder,
  storeFolder: `${out}-store`,
  baseline: false,
  // The speed of a teacher of this size is not what is shown: each model is looked at once.
  timingSeconds: 0,
  onEvent(event) {
    if (event.type === 'stage-end' && event.stage === 'label') label = event;
    if (event.type === 'log' && /^the teacher runs in/.test(event.message)) parts = event.message;
    if (event.type === 'progress' && event.stage === 'train' && event.unit === 'steps') steps = event.total;
  },
});
console.log(
  JSON.stringify({
    highWaterMark: highWaterMark(),
    labelSeconds: label.seconds,
    parts,
    steps,
  }),
);
