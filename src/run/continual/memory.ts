import type { ChosenSamples, SamplePlace } from '../../data/batches/chosen-samples.ts';
import { Permutation } from '../../data/splits/permutation.ts';
import { Reservoir } from '../../data/splits/reservoir.ts';
import { randomStream } from '../../random.ts';

/** A sample in the memory. */
export interface KeptPlace extends SamplePlace {
  /** The task that it is of. */
  readonly task: number;
}

/** The same with what the student said of it when its task had been learnt: float32 [classes]. */
export interface KeptSample extends KeptPlace {
  readonly logits: Float32Array;
}

/**
 * What is in the memory when these tasks have been learnt: a uniform sample of all that was seen. The samples of a task
 * pass by once, in random order, when it is over. A function of the seed alone, so that nothing has to be saved.
 */
export function keptAfter(
  taught: readonly ChosenSamples[],
  { capacity, seed }: { capacity: number; seed: number },
): readonly KeptPlace[] {
  const reservoir = new Reservoir<KeptPlace>(capacity, randomStream(seed, 'reservoir'));
  for (const [task, samples] of taught.entries()) {
    const places = [...samples.places()];
    const order = new Permutation(places.length, seed, 'reservoir', task);
    for (let i = 0; i < places.length; i++) {
      reservoir.offer({ ...(places[order.at(i)] as SamplePlace), task });
    }
  }
  return reservoir.kept;
}
