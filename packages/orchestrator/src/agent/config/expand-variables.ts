// `$(NAME)` in commands, arguments and environment values. `$$` stands for `$`; what names nothing stays as it is.

export const expandVariables = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\$\$|\$\(([^()$]*)\)/g, (whole: string, name: string | undefined) =>
    name === undefined ? '$' : (values.get(name) ?? whole),
  )
