const LEFT_OUT = '(left out)';

/** Quotes that messages put around what they cite. Within one message a citation ends where its quote does. */
const CITED = /'[^']*'|"[^"]*"|\u201c[^\u201d]*\u201d|\u2018[^\u2019]*\u2019/g;
/** A key of a recipe, a file's name, or a number: what a message cites of itself. */
const OWN = /^[\w./-]{1,40}$/;

/** A message without what it cites of the data: names of classes, keys and files stay. */
export function withoutRawTexts(message: string, labels: readonly string[]): string {
  return message.replace(CITED, (cited) => {
    const content = cited.slice(1, -1);
    return labels.includes(content) || OWN.test(content) ? cited : `${cited[0]}${LEFT_OUT}${cited.at(-1)}`;
  });
}
