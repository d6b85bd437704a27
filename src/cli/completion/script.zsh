#compdef NAME
# Completes NAME: asks the program, which knows its commands and, from the database, names.
_NAME() {
    local program=${words[1]/#\~/$HOME} offered
    [[ $program == */* && -x $program ]] || program=NAME
    local -a folders others
    for offered in "${(@f)$(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) VARIABLE=zsh \
        $program -- "${(@)words[1,CURRENT]}" 2>/dev/null)}"; do
        case ${offered%%:*} in
        '') ;;
        */) folders+=("$offered") ;;
        *) others+=("$offered") ;;
        esac
    done
    # No blank after a folder: its name goes on.
    (( $#folders )) && _describe -V NAME folders -S ''
    (( $#others )) && _describe -V NAME others
}
# Read by the completion system, this file is the body of the function; sourced, it is not.
if [[ $funcstack[1] == _NAME ]]; then _NAME "$@"; else compdef _NAME NAME; fi
