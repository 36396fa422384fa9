import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { type ObjectiveOptions, withOptions } from '../../objectives/index.ts';
import { namesFor } from '../../objectives/output-names.ts';
import { meanNormalizedEntropy, temperatureByEntropy } from '../../weighting/temperature.ts';
import { readKnowledge } from '../batches/sample-batches.ts';
import { unansweredRows } from '../batches/unanswered.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import type { Lessons } from '../teaching/lessons.ts';

/** Answers of the teacher that are looked at. */
const SAMPLES = 1024;

/**
 * The run with a number for `temperature: auto` of every `kd`, by how uncertain the teacher's answers of its output about a
 * sample of what it was asked are; which one is told in the log. The sample is always the same, so a resumed run decides
 * alike.
 */
export function withDecidedTemperature(run: RunContext, data: TaskData, lessons: Lessons): RunContext {
  const { objective } = run.recipe;
  const decided = withOptions(objective, 'kd', (kd) => {
    const { tap, term } = namesFor('kd', kd.output, lessons.context);
    const answers = lessons.answers.spaces.get(tap);
    if (kd.temperature !== 'auto' || !(kd.weight > 0) || !answers) return kd;
    const entropy = meanNormalizedEntropy(sampledAnswers(data.asked, answers), classesOf(answers));
    const temperature = temperatureByEntropy(entropy);
    run.emit({
      type: 'log',
      level: 'info',
      message: `objective.${term}.temperature is ${temperature}: the teacher's answers have ${Math.round(100 * entropy)} % of the entropy of equal chances`,
    });
    return { ...kd, temperature };
  });
  return { ...run, recipe: { ...run.recipe, objective: decided } };
}

function classesOf({ info: { dims } }: LabelSpace): number {
  return dims.at(-1) as number;
}

/** A recipe's loss as it is timed before a run: neither the temperature nor its decay changes what a step costs. */
export function withoutSchedules(objective: ObjectiveOptions): ObjectiveOptions {
  return withOptions(objective, 'kd', (kd) => ({ ...kd, decay: 'constant' }));
}

/** Logits [samples, classes] from all over a split, of every bucket as many as it has of all samples. */
function sampledAnswers(split: Split, logits: LabelSpace): number[] {
  const answers: number[] = [];
  split.buckets.forEach(({ size }, bucket) => {
    const wanted = Math.min(size, Math.ceil((SAMPLES * size) / Math.max(1, split.size)));
    if (wanted === 0) return;
    const indices = Uint32Array.from({ length: wanted }, (_, i) => Math.floor((i * size) / wanted));
    const batch = split.readBatch(bucket, indices, wanted);
    const { data } = readKnowledge(logits, batch);
    const width = data.length / wanted;
    const none = unansweredRows({ type: 'float32', dims: [wanted, width], data }, wanted);
    for (let row = 0; row < wanted; row++) {
      if (none?.[row] === 1) continue;
      for (const logit of (data as Float32Array).subarray(row * width, (row + 1) * width))
        answers.push(logit);
    }
  });
  return answers;
}
