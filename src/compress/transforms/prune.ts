import type { ObjectiveTerm } from '../../objectives/objective.ts';
import type { Student } from '../../students/student.ts';
import { pruneOptions } from '../prune/prune-options.ts';
import { cannotCompress } from './cannot-compress.ts';
import { defineTransform } from './transform.ts';

/**
 * Structured pruning of any student, in rounds with distillation between them: what depends on each other is found in the graph
 * (`channels/`), the least important goes, and the network before is a teacher of what is left beside the recipe's own.
 */
export const prune = defineTransform({
  kind: 'prune',
  title: 'structured pruning',
  options: pruneOptions,
  trains: ({ sparsity }) => sparsity > 0,
  during: (student, { sparsity }, context) => ({
    student,
    terms: [sparseScales(student, sparsity, context.where)],
  }),
  epochs: ({ rounds, epochs, between }) => (rounds - 1) * between + epochs,
  async foresee(student, given, context) {
    const { foreseePruning } = await import('../prune/prune-in-rounds.ts');
    return foreseePruning(student, given, context);
  },
  async after(student, given, context) {
    // Loaded where it is used: pages do not pay for it.
    const { pruneInRounds } = await import('../prune/prune-in-rounds.ts');
    return pruneInRounds(student, given, context);
  },
});

/** The sum of the absolute scales of all normalisations (Liu et al., "Network Slimming", 2017, equation 1), times the weight. */
function sparseScales({ graph, parameters }: Student, weight: number, where: string): ObjectiveTerm {
  const scales = graph.nodes.flatMap(({ opType, inputs: [, scale] }) =>
    (opType === 'BatchNormalization' || opType === 'LayerNormalization') &&
    scale &&
    parameters.includes(scale.name)
      ? [scale.name]
      : [],
  );
  if (scales.length === 0) {
    throw cannotCompress(
      { where },
      'the student has no normalisation whose scales could be drawn towards 0',
      'Leave out `sparsity`.',
    );
  }
  return {
    name: 'sparsity',
    weight,
    build(g, inputs) {
      const norms = [...new Set(scales)].map((name) =>
        g.reduceSum(g.abs(inputs.student(name)), { keepDims: false }),
      );
      return norms.reduce((sum, norm) => g.add(sum, norm));
    },
  };
}
