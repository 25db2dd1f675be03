// The forms that `-o` names, and objects printed in them: one place for all verbs.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { Document, parse, visit } from 'yaml'
import { objectLabel, type ServedResource } from '../discovery.ts'
import { sortKeys, sortedJson } from '../sorted-json.ts'
import { withoutManagedFields } from '../without-managed-fields.ts'
import { type CustomColumns, customColumnsOfFile, parseCustomColumns } from './custom-columns.ts'
import { goTemplate } from './go-template.ts'
import { jsonPathTemplate, jsonPathValues } from './json-path-template.ts'

export type OutputForm =
  | { readonly type: 'name' }
  | { readonly type: 'table' }
  | { readonly type: 'wide' }
  | { readonly type: 'columns'; readonly columns: CustomColumns }
  | {
      readonly type: 'whole'
      /** How a watch tells one object from the next. */
      readonly separator: string
      readonly text: (object: unknown) => string
    }

export interface OutputOptions {
  readonly output?: string
  readonly template?: string
  readonly showManagedFields?: boolean
}

const textForms =
  'go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile'
const tableForms = 'custom-columns,custom-columns-file'

/** Adds the flags that outputForm() reads. */
export const withOutput = (command: Command): Command =>
  command
    .option(
      '-o, --output <form>',
      'json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=, jsonpath-file=, go-template=, go-template-file=; of tables wide, custom-columns=SPEC, custom-columns-file=',
    )
    .option('--template <text>', 'the template of jsonpath and go-template')
    .option('--show-managed-fields', 'who owns which field too')

/** `hasTables`: of a verb that prints tables too. Throws Error as kubectl tells it. */
export const outputForm = (options: OutputOptions, hasTables: boolean): OutputForm => {
  const { output = '', template } = options
  const at = output.indexOf('=')
  const name = at < 0 ? output : output.slice(0, at)
  const given = at < 0 ? (template ?? '') : output.slice(at + 1)
  const cleaned = (object: unknown): unknown =>
    options.showManagedFields === true ? object : withoutManagedFields(object)
  const whole = (text: (object: unknown) => string, separator = ''): OutputForm => ({
    type: 'whole',
    separator,
    text: (object) => text(cleaned(object)),
  })
  const needed = (): string => {
    if (given === '') throw new Error(`template format specified but no template given`)
    return name.endsWith('file') ? readFileSync(given, 'utf8') : given
  }
  switch (name) {
    case '':
      return { type: 'table' }
    case 'name':
      return { type: 'name' }
    case 'json':
      return whole((object) => `${sortedJson(object, 4)}\n`)
    case 'yaml':
      return whole(yamlText, '---\n')
    case 'jsonpath':
    case 'jsonpath-file':
      return whole(jsonPathTemplate(needed()))
    case 'jsonpath-as-json': {
      const values = jsonPathValues(needed())
      return whole((object) => `${sortedJson(values(object), 4)}\n`)
    }
    case 'go-template':
    case 'go-template-file':
    case 'template':
    case 'templatefile':
      return whole(goTemplate(needed()))
    case 'wide':
      if (hasTables) return { type: 'wide' }
      break
    case 'custom-columns':
      if (hasTables) return { type: 'columns', columns: parseCustomColumns(given) }
      break
    case 'custom-columns-file':
      if (hasTables)
        return { type: 'columns', columns: customColumnsOfFile(readFileSync(given, 'utf8')) }
      break
  }
  const forms = hasTables ? `${tableForms},${textForms},wide,yaml` : `${textForms},yaml`
  throw new Error(
    `unable to match a printer suitable for the output format ${JSON.stringify(name)}, allowed formats are: ${forms}`,
  )
}

/** As kubectl prints: keys in order of the alphabet, texts that would be read as something else in double quotes, others in single ones. */
export const yamlText = (object: unknown): string => {
  const document = new Document(sortKeys(object), { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && isOtherType(node.value)) node.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ lineWidth: 0, indentSeq: false, singleQuote: true })
}

const isOtherType = (text: string): boolean =>
  mayBeOther.test(text) && typeof parse(text, { version: '1.1', logLevel: 'silent' }) !== 'string'

const mayBeOther =
  /^(?:[-+.]?\d[\w.:+-]*|\.(?:inf|nan)|[-+]\.inf|~|y|n|yes|no|on|off|true|false|null|)$/i

/** What a verb did to an object, or the object itself where a form was asked for. */
export const printResult = (
  result: {
    readonly resource: ServedResource
    readonly object: { readonly metadata: { readonly name?: string } }
    /** e.g. `created`. */
    readonly done: string
  },
  options: OutputOptions & { readonly dryRun?: string },
): void => {
  const { resource, object, done } = result
  const form = outputForm(options, false)
  const label = objectLabel(resource, object.metadata.name ?? '')
  if (form.type === 'whole') process.stdout.write(form.text(object))
  else
    process.stdout.write(
      form.type === 'name' ? `${label}\n` : `${label} ${done}${dryRunText(options)}\n`,
    )
}

const dryRunText = ({ dryRun = 'none' }: { readonly dryRun?: string }): string => {
  if (dryRun === 'none') return ''
  return dryRun === 'server' ? ' (server dry run)' : ' (dry run)'
}
