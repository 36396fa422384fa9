import * as ortWeb from 'onnxruntime-web';
import { createNodeEngine } from '../src/engine/node.ts';
import type { OrtModule } from '../src/engine/ort-session.ts';
import { createWebEngine } from '../src/engine/web.ts';
import { measureStudent } from './measure-int8/student.ts';
import { measureTeacher } from './measure-int8/teacher.ts';
import { scriptArguments } from './script-arguments.ts';

// One thread: a second one only measures what else the machine does. The numbers of docs/measurements-int8.md: npx tsx scripts/measure-int8.ts [teacher] [student]
const { positionals } = scriptArguments(import.meta.url, { allowPositionals: true });
const wanted = (part: string) => positionals.length === 0 || positionals.includes(part);
const engine = createNodeEngine({ threads: 1 });
const web = createWebEngine({ ort: ortWeb as unknown as OrtModule });
if (wanted('teacher')) await measureTeacher(engine, web);
if (wanted('student')) await measureStudent(engine, web);
