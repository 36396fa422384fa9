export const TOO_DEEP = 'the recipe is nested too deeply';

/** Mistakes of YAML in a recipe's terms, by the library's codes; its own words are for those who write YAML libraries. */
const WORDS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'a name that is used (*name) takes no mark of its own',
  BAD_ALIAS: 'a name that is used (*name) has letters and digits alone',
  BAD_COLLECTION_TYPE: 'the mark before this (!...) is of another kind of value',
  BAD_DIRECTIVE: 'recipes are YAML 1.2, without other directives (%...)',
  BAD_DQ_ESCAPE: 'an escape within "..." that YAML does not have: write \\\\ for \\, or use single quotes',
  BAD_INDENT: 'this line is indented differently from the lines that it belongs to',
  BAD_PROP_ORDER: 'names and marks (&name, !mark) stand right before their value',
  BAD_SCALAR_START: 'a text that begins with this character stands in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second key on a line: text with a colon and a space in it stands in quotes',
  BLOCK_IN_FLOW: 'a list or section of lines within brackets: write all of it in brackets, or in lines',
  DUPLICATE_KEY: 'this key is there twice in its section',
  KEY_OVER_1024_CHARS: 'no key is so long: a quote or a bracket may not be closed',
  MISSING_CHAR:
    'something is missing here: a closing quote or bracket, a comma, or the colon and space behind a key',
  MULTILINE_IMPLICIT_KEY:
    'a key, or a text behind one, that goes on in the next line: put it in quotes, or indent the line',
  MULTIPLE_ANCHORS: 'a value has one name (&name)',
  MULTIPLE_DOCS: 'a recipe is one document: a second one begins here (---). Write it to a file of its own',
  MULTIPLE_TAGS: 'a value has one mark (!...)',
  NON_STRING_KEY: 'keys are names, not lists or sections',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: 'lines are indented by spaces, not by tabs',
  TAG_RESOLVE_FAILED: 'marks of types (!...) are not read: write the value alone',
  UNEXPECTED_TOKEN:
    'this does not belong here: a quote, a bracket or a comma too many or too few stands before it',
};

/** What the library tells, for the person. @param code of its error */
export function yamlWords(code: string, message: string): string {
  // It tells a quote or a bracket that is not closed by where the text ends.
  const open = /Missing closing (['"])quote/.exec(message)?.[1];
  if (open) return `a text that begins with ${open} is not closed before here`;
  const bracket = /must (?:be sufficiently indented and )?end with a ([\]}])/.exec(message)?.[1];
  if (bracket)
    return `${bracket} is missing: ${bracket === ']' ? 'a list' : 'a section'} in brackets is not closed before here`;
  return WORDS[code] ?? message;
}
