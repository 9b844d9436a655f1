#!/bin/sh
# SSH_ASKPASS for the tests: answers the prompt in $1 from the environment.
case $1 in
  *"old password"*) printf '%s\n' "$ANSWER_PASSWORD" ;;
  *"new password"*) printf '%s\n' "$ANSWER_NEW_PASSWORD" ;;
  *Token*) printf '%s\n' "$ANSWER_TOKEN" ;;
  *colour*) printf '%s\n' "$ANSWER_COLOUR" ;;
  *) printf '%s\n' "$ANSWER_PASSWORD" ;;
esac
