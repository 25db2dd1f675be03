#!/usr/bin/env node
// The file that npm links as `balsa`: it is there before the first build, when npm makes its links.
import '../dist/cli/main.js'
