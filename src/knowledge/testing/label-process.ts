import { labelSplit } from '../label.ts';
import { KnowledgeStore } from '../store.ts';
import { fakeSplit, fakeTeacher, range } from './fake-teacher.ts';

// Labels made-up samples in a process of its own: FOLDER COUNT MILLISECONDS-PER-BATCH. Prints a line per batch.
const [folder, count, milliseconds] = process.argv.slice(2) as [string, string, string];
const store = await KnowledgeStore.open(folder);
const teacher = fakeTeacher({
  before: () => new Promise((resolve) => setTimeout(resolve, Number(milliseconds))),
});
const result = await labelSplit({
  teacher,
  taps: ['logits'],
  split: fakeSplit(range(Number(count))),
  store,
  batchSize: 16,
  onProgress: ({ done }) => console.log(`progress ${done}`),
});
await store.close();
console.log(`labelled ${result.labelled}`);
