import { attachExits } from '../exits/attach-exits.ts';
import { exitOptions } from '../exits/exit-options.ts';
import { foldedStudent } from '../folded-student.ts';
import { defineTransform } from './transform.ts';

/**
 * Early exits: heads at inner layers, by which easy samples leave the network (Teerapittayanon, McDanel and Kung, "BranchyNet",
 * 2016; of transformers Xin et al., "DeeBERT", 2020), trained by the last layer's answers and the recipe's losses. Their
 * thresholds are chosen when the student is written.
 */
export const exits = defineTransform({
  kind: 'exits',
  title: 'early exits',
  options: exitOptions,
  phases: ({ train }) => [train === 'all' ? 'during' : 'after'],
  epochs: ({ train, epochs }) => (train === 'heads' ? epochs : 0),
  during: (student, options, context) => ({ student: attachExits(student, options, context) }),
  foresee: async (student, options, context) => attachExits(student, options, context),
  async after(student, options, context) {
    // Folded, it has no statistics that batches could change: all but the heads stays as it is.
    const folded = foldedStudent(student);
    const attached = attachExits(folded, options, context);
    const own = new Set(folded.parameters);
    const { epochs } = options;
    const heads = { ...attached, parameters: attached.parameters.filter((name) => !own.has(name)) };
    const trained =
      epochs > 0
        ? await context.retrain('heads', heads, { epochs, objective: 'exits', select: 'last' })
        : { student: heads, validation: context.validation };
    return {
      student: { ...trained.student, parameters: attached.parameters },
      validation: trained.validation,
      summary: `heads at inner layers were trained on the finished student for ${epochs} epochs`,
    };
  },
});
