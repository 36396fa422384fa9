import { randomStream } from '../../random.ts';
import {
  chosenSamples,
  type FollowedSample,
  type SampleDynamicsReport,
  summarizeDynamics,
} from '../sample-dynamics.ts';

const SAMPLES = 20_000;
const LOOKS = 8;

/** Samples whose probabilities wander between two levels, most of them easy; the examples have the texts given. */
export function syntheticDynamics(texts: readonly string[]): SampleDynamicsReport {
  const random = randomStream(11, 'synthetic dynamics');
  const columns = () => new Float32Array(SAMPLES);
  const table = {
    confidence: columns(),
    variability: columns(),
    correctness: columns(),
    seen: new Int32Array(SAMPLES).fill(LOOKS),
  };
  for (let i = 0; i < SAMPLES; i++) {
    const level = Math.min(0.98, Math.max(0.02, 1.15 - 0.9 * random.uniform() ** 0.6));
    const swing = Math.sqrt(level * (1 - level)) * random.uniform();
    table.confidence[i] = level;
    table.variability[i] = swing;
    table.correctness[i] = Math.min(1, Math.max(0, Math.round(LOOKS * (level * 1.4 - 0.2)) / LOOKS));
  }
  const chosen = chosenSamples(table, 6);
  const examplesOf = (ordinals: readonly number[]) =>
    ordinals.map(
      (i): FollowedSample => ({
        text: texts[i % texts.length] as string,
        label: i % 26,
        givenBy: i % 3 === 0 ? 'label' : 'teacher',
        confidence: table.confidence[i] as number,
        variability: table.variability[i] as number,
        correctness: table.correctness[i] as number,
      }),
    );
  return {
    ...summarizeDynamics(table),
    examples: {
      easy: examplesOf(chosen.easy),
      ambiguous: examplesOf(chosen.ambiguous),
      hard: examplesOf(chosen.hard),
    },
  };
}
