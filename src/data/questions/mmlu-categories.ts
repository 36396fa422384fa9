/** The four categories of MMLU's 57 subjects, in the order of the paper's tables. */
const SUBJECTS = {
  humanities: [
    'formal_logic',
    'high_school_european_history',
    'high_school_us_history',
    'high_school_world_history',
    'international_law',
    'jurisprudence',
    'logical_fallacies',
    'moral_disputes',
    'moral_scenarios',
    'philosophy',
    'prehistory',
    'professional_law',
    'world_religions',
  ],
  'social sciences': [
    'econometrics',
    'high_school_geography',
    'high_school_government_and_politics',
    'high_school_macroeconomics',
    'high_school_microeconomics',
    'high_school_psychology',
    'human_sexuality',
    'professional_psychology',
    'public_relations',
    'security_studies',
    'sociology',
    'us_foreign_policy',
  ],
  STEM: [
    'abstract_algebra',
    'astronomy',
    'college_biology',
    'college_chemistry',
    'college_computer_science',
    'college_mathematics',
    'college_physics',
    'computer_security',
    'conceptual_physics',
    'electrical_engineering',
    'elementary_mathematics',
    'high_school_biology',
    'high_school_chemistry',
    'high_school_computer_science',
    'high_school_mathematics',
    'high_school_physics',
    'high_school_statistics',
    'machine_learning',
  ],
  other: [
    'anatomy',
    'business_ethics',
    'clinical_knowledge',
    'college_medicine',
    'global_facts',
    'human_aging',
    'management',
    'marketing',
    'medical_genetics',
    'miscellaneous',
    'nutrition',
    'professional_accounting',
    'professional_medicine',
    'virology',
  ],
} as const;

export type MmluCategory = keyof typeof SUBJECTS;

/** In the order in which they are told. */
export const MMLU_CATEGORIES = Object.keys(SUBJECTS) as MmluCategory[];

const CATEGORY_OF: ReadonlyMap<string, MmluCategory> = new Map(
  MMLU_CATEGORIES.flatMap((category) => SUBJECTS[category].map((subject) => [subject, category] as const)),
);

/**
 * The category of a subject, as its files are named; undefined for one that is not MMLU's.
 *
 * Hendrycks et al., "Measuring Massive Multitask Language Understanding" (2021, arXiv 2009.03300), appendix B. Anatomy is
 * among the others, with all of health, as in the authors' evaluation.
 */
export function mmluCategory(subject: string): MmluCategory | undefined {
  return CATEGORY_OF.get(subject);
}
