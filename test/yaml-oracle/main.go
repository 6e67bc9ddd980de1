// SPDX-License-Identifier: Apache-2.0

// Prints what sigs.k8s.io/yaml makes of each input in the list that is given on standard
// input (JSON array of strings): {"yaml": …, "json": …} or {"yaml": …, "error": true}.
// scalars.json and documents.json beside it hold its answers, so that tests need no Go.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	YAML  string `json:"yaml"`
	JSON  string `json:"json,omitempty"`
	Error bool   `json:"error,omitempty"`
}

func main() {
	var inputs []string
	if err := json.NewDecoder(os.Stdin).Decode(&inputs); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, input := range inputs {
		out, err := yaml.YAMLToJSON([]byte(input))
		if err != nil {
			answers = append(answers, answer{YAML: input, Error: true})
			continue
		}
		answers = append(answers, answer{YAML: input, JSON: string(out)})
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(answers); err != nil {
		panic(err)
	}
}
