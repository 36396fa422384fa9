import type { ObjectiveInputs, RowLosses } from '../objectives/objective.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** A term of the loss as a weighting sees it. */
export interface WeighedTerm {
  readonly name: string;
  /** What the recipe says. */
  readonly weight: number;
  /** float32 [], without its weight. */
  readonly loss: TypedValue;
  /** The same row by row, where the term tells it. */
  readonly rows?: RowLosses;
}

/** What a weighting emits into a training step. */
export interface TermWeights {
  /**
   * By what each term is multiplied besides its own weight: float32 [], or [batch] where the term tells its rows. In the
   * order of the terms.
   */
  readonly factors: readonly TypedValue[];
  /** Added to the loss: what keeps trained weights from vanishing. */
  readonly penalty?: TypedValue;
  /** Scalars that the log shows, by name: `weight/kd`. */
  readonly metrics: ReadonlyMap<string, TypedValue>;
}

/** How strongly each term counts, decided anew in every step, inside the step. */
export interface StepWeighting {
  /** Emits the factors. Settings that change from step to step are inputs: `inputs.input(name, ...)`. */
  weigh(g: GraphBuilder, terms: readonly WeighedTerm[], inputs: ObjectiveInputs): TermWeights;
}

/** A weighting of some of a step's terms, by their names; the others count as they are. */
export function weighingOnly(
  weighed: readonly { readonly name: string }[],
  weighting: StepWeighting,
): StepWeighting {
  const names = new Set(weighed.map(({ name }) => name));
  return {
    weigh(g, terms, inputs) {
      const own = terms.filter(({ name }) => names.has(name));
      const { factors, ...rest } = weighting.weigh(g, own, inputs);
      const one = g.scalar(1, 'float32');
      return {
        ...rest,
        factors: terms.map((term) => (names.has(term.name) ? (factors[own.indexOf(term)] ?? one) : one)),
      };
    },
  };
}
