import type { KnowledgeGraph } from '../../knowledge/graph/knowledge-graph.ts';
import { artifact } from '../context/artifact.ts';
import { asTeacherReads } from '../context/as-teacher-reads.ts';
import { describePair } from '../heads/describe-pair.ts';
import { readTeacherGraph } from '../heads/teacher-graph.ts';
import { knowledgeGraph, wantedSamples } from '../knowledge/knowledge-graph.ts';
import { DATA } from './data.ts';
import { stage } from './stage.ts';
import { TEACHER } from './teacher.ts';

export const KNOWLEDGE_GRAPH = artifact<KnowledgeGraph>('knowledge-graph');

/** Draws the teacher's knowledge graph, where the recipe wants it: what its answers rest on. Its time is the labelling's. */
export const knowledgeGraphStage = stage({
  name: 'label',
  about: 'the teacher answers every training sample, once',
  needs: { data: DATA, teacher: TEACHER },
  makes: KNOWLEDGE_GRAPH,
  applies: ({ knowledge }) => wantedSamples(knowledge) !== undefined,
  title: () => "Draw the teacher's knowledge graph",
  run(run, { data, teacher }) {
    const { knowledge } = run.recipe;
    const pair = describePair(knowledge, data.buildStudent().graph, readTeacherGraph(teacher.file, data));
    return knowledgeGraph(run, asTeacherReads(data), teacher, {
      anatomy: pair.teacher,
      wanted: wantedSamples(knowledge) as number,
    });
  },
  // Not planned: it is a small sample beside the labelling.
  plan: async () => undefined,
});
